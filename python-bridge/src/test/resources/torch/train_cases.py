"""Whole training loops, see nn_cases.py."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        # A bias before the normalisation has a gradient of rounding errors only, which Adam blows up.
        self.conv1 = nn.Conv2d(1, 4, 3, 1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 8, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(72, 16)
        self.fc2 = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.bn(self.conv1(x)))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout2(x)
        return self.fc2(x)


def case_mnist():
    torch.manual_seed(1)
    train = TensorDataset(torch.randn(48, 1, 10, 10), torch.randint(0, 10, (48,)))
    test = TensorDataset(torch.randn(16, 1, 10, 10), torch.randint(0, 10, (16,)))
    train_loader = DataLoader(train, batch_size=12, shuffle=True)
    test_loader = DataLoader(test, batch_size=8)
    model = Net().to("cpu")
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    lines = []
    for epoch in range(1, 4):
        model.train()
        for batch_idx, (data, target) in enumerate(train_loader):
            optimizer.zero_grad()
            output = model(data)
            loss = criterion(output, target)
            loss.backward()
            optimizer.step()
            lines.append(f"Train Epoch: {epoch} [{batch_idx * len(data)}/{len(train)}]\tLoss: {loss.item():.5f}")
        model.eval()
        test_loss, correct = 0, 0
        with torch.no_grad():
            for data, target in test_loader:
                output = model(data)
                test_loss += F.cross_entropy(output, target, reduction="sum").item()
                pred = output.argmax(dim=1, keepdim=True)
                correct += pred.eq(target.view_as(pred)).sum().item()
        lines.append(f"Test set: Average loss: {test_loss / len(test):.4f}, Accuracy: {correct}/{len(test)}")
        scheduler.step()
    return lines


def case_lstm_regression():
    torch.manual_seed(2)
    x = torch.linspace(0, 6, 40).sin()
    windows = x.unfold(0, 8, 1)
    model = nn.LSTM(1, 6, batch_first=True)
    head = nn.Linear(6, 1)
    optimizer = optim.SGD([*model.parameters(), *head.parameters()], lr=0.1, momentum=0.9)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        out, _ = model(windows[:, :-1].unsqueeze(-1))
        loss = F.mse_loss(head(out[:, -1]).squeeze(-1), windows[:, -1])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    return losses


def case_autoencoder():
    torch.manual_seed(3)
    data = torch.rand(32, 12)
    model = nn.Sequential(nn.Linear(12, 6), nn.GELU(), nn.LayerNorm(6), nn.Linear(6, 12), nn.Sigmoid())
    optimizer = optim.AdamW(model.parameters(), lr=0.02)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    losses = []
    for _ in range(20):
        loss = F.binary_cross_entropy(model(data), data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def case_embedding_ranking():
    torch.manual_seed(4)
    users, items = nn.Embedding(8, 4), nn.Embedding(10, 4)
    optimizer = optim.RMSprop([*users.parameters(), *items.parameters()], lr=0.02)
    losses = []
    for step in range(20):
        u = torch.randint(0, 8, (6,))
        i, j = torch.randint(0, 10, (2, 6))
        margin = (users(u) * (items(i) - items(j))).sum(-1)
        loss = -F.logsigmoid(margin).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
